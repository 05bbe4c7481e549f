/**
 * Collects what is wrong with a flow, and makes one error of it.
 *
 * @module
 */

import { ValidationError, type ValidationIssue } from "../errors.ts";
import { quoted } from "../names.ts";
import { pathOf, type Place, positionIn } from "./source.ts";

/** At most this many problems are reported; the rest is counted. */
export const MAX_ISSUES = 20;

/** At most this many problems are part of the message of the error. */
const MAX_IN_MESSAGE = 10;

/** Where a flow comes from, for messages. */
export interface Origin {
  /** The name of the file, or of whatever the flow was given by. */
  readonly file?: string | undefined;
  /** The YAML text, for lines and columns. */
  readonly text?: string | undefined;
}

/** The problems of one flow. */
export class Problems {
  /** The flow's name, once it is known. */
  flowName: string | undefined;
  readonly #origin: Origin;
  readonly #issues: ValidationIssue[] = [];
  #count = 0;

  /** Starts without problems. */
  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** How many problems there are. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a problem.
   *
   * @param message What is wrong and how to mend it; a function where it is dear to make and may not be needed.
   * @param options The offset of the problem where it is not the place's own, and a field of the place that is meant.
   */
  add(place: Place, message: string | (() => string), options: { offset?: number | undefined; field?: string } = {}) {
    this.#count++;
    if (this.#issues.length >= MAX_ISSUES) return;
    const { text } = this.#origin;
    const offset = options.offset ?? place.offset;
    this.#issues.push({
      path: pathOf(options.field === undefined ? place : { parent: place, step: options.field }),
      ...(text === undefined || offset === undefined ? {} : positionIn(text, offset)),
      message: typeof message === "string" ? message : message(),
    });
  }

  /** Throws one error of all problems, if there are any. */
  throwIfAny(): void {
    if (this.#count > 0) throw this.error();
  }

  /** One error of all problems. */
  error(): ValidationError {
    const what = this.flowName === undefined ? "the flow" : `flow ${quoted(this.flowName)}`;
    const where = this.#origin.file === undefined ? "" : ` in ${this.#origin.file}`;
    const [first, ...others] = this.#issues.slice(0, MAX_IN_MESSAGE).map((issue) => this.#line(issue));
    const more = this.#count - Math.min(this.#issues.length, MAX_IN_MESSAGE);
    if (more > 0) others.push(`and ${more} more`);
    const lines = others.length === 0 ? ` ${first}` : [` ${this.#count} problems`, first, ...others].join("\n  ");
    return new ValidationError(`${what}${where} is not valid:${lines}`, this.#issues);
  }

  #line({ path, line, column, message }: ValidationIssue): string {
    const place = [this.#origin.file, line, column].filter((part) => part !== undefined).join(":");
    return place === "" ? `${path}: ${message}` : `${place}: ${path}: ${message}`;
  }
}
