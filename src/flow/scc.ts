/**
 * Finds the cycles of a graph.
 *
 * @module
 */

/** The walk is a loop and no recursion: a flow may be 10,000 nodes deep. */
interface Frame {
  readonly id: string;
  readonly ahead: Iterator<string>;
}

/**
 * The groups of nodes that lie on cycles together: the strongly connected components of more than one node (Tarjan's
 * algorithm, in linear time). Each is in the order in which the nodes were found.
 */
export function cyclesOf(nodes: Iterable<string>, next: (id: string) => Iterable<string>): string[][] {
  const walk = new Walk(next);
  for (const id of nodes) walk.from(id);
  return walk.cycles;
}

class Walk {
  readonly cycles: string[][] = [];
  readonly #next: (id: string) => Iterable<string>;
  readonly #index = new Map<string, number>();
  readonly #low = new Map<string, number>();
  readonly #open: string[] = [];
  readonly #isOpen = new Set<string>();
  readonly #frames: Frame[] = [];

  constructor(next: (id: string) => Iterable<string>) {
    this.#next = next;
  }

  from(start: string): void {
    if (this.#index.has(start)) return;
    this.#enter(start);
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const { done, value } = frame.ahead.next();
      if (done) this.#leave(frame.id);
      else if (!this.#index.has(value)) this.#enter(value);
      else if (this.#isOpen.has(value)) this.#lower(frame.id, this.#index.get(value)!);
    }
  }

  #enter(id: string): void {
    this.#index.set(id, this.#index.size);
    this.#low.set(id, this.#index.get(id)!);
    this.#open.push(id);
    this.#isOpen.add(id);
    this.#frames.push({ id, ahead: this.#next(id)[Symbol.iterator]() });
  }

  #leave(id: string): void {
    this.#frames.pop();
    const low = this.#low.get(id)!;
    const parent = this.#frames.at(-1);
    if (parent !== undefined) this.#lower(parent.id, low);
    if (low !== this.#index.get(id)) return;
    const group = this.#open.splice(this.#open.lastIndexOf(id));
    for (const member of group) this.#isOpen.delete(member);
    if (group.length > 1) this.cycles.push(group);
  }

  #lower(id: string, low: number): void {
    if (low < this.#low.get(id)!) this.#low.set(id, low);
  }
}
