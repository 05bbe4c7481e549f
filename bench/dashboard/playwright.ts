/** What of playwright-core is used. @module */

/** A page. */
export interface Page {
  /** Opens an address; resolves when it is loaded. */
  goto(url: string): Promise<unknown>;
  /** Runs code in the page. */
  evaluate<T>(code: string): Promise<T>;
  /** Waits until there is such an element. */
  waitForSelector(selector: string): Promise<unknown>;
  /** Waits until the page is at such an address. */
  waitForURL(matches: (url: URL) => boolean): Promise<void>;
  /** The address. */
  url(): string;
  /** The keyboard. */
  keyboard: { press(key: string): Promise<void> };
  /** Closes the page. */
  close(): Promise<void>;
}

/** What pages share: cache and cookies. */
export interface BrowserContext {
  /** Opens a page. */
  newPage(): Promise<Page>;
}

/** A browser. */
export interface Browser {
  /** A context of its own. */
  newContext(options: Record<string, unknown>): Promise<BrowserContext>;
  /** Ends it. */
  close(): Promise<void>;
}

/** How large a page is. */
export const VIEWPORT = { viewport: { width: 1440, height: 900 } };
