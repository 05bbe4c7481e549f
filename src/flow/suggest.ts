/**
 * "Did you mean …?": the nearest of the names that would have been right.
 *
 * @module
 */

/** Words longer than this are not compared. */
const MAX_WORD = 128;

/** `; did you mean "triage"?` where a candidate is near to the word, and nothing where none is. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const best = nearest(word, candidates);
  return best === undefined ? "" : `; did you mean ${JSON.stringify(best)}?`;
}

/** The candidate nearest to the word, or `undefined` where none is near: about a third of the letters may differ. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let limit = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  for (const candidate of candidates) {
    const found = distance(wanted, candidate.toLowerCase(), limit);
    if (found > limit) continue;
    best = candidate;
    limit = found - 1;
    if (limit < 0) break;
  }
  return best;
}

/** The number of letters to insert, delete, replace or swap to make one word of the other; anything past `limit` is more. */
export function distance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = nextRow({ left, right, i, last, beforeLast });
    if (Math.min(...row) > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[right.length]!;
}

interface Step {
  left: string;
  right: string;
  i: number;
  last: number[];
  beforeLast: number[];
}

function nextRow({ left, right, i, last, beforeLast }: Step): number[] {
  const row = [i];
  for (let j = 1; j <= right.length; j++) {
    const replaced = last[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
    let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
    const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
    if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
    row.push(cost);
  }
  return row;
}
