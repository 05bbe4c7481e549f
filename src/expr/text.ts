/**
 * Text as expr-lang sees it: characters are code points, and what is indexed are bytes of UTF-8.
 *
 * @module
 */

/** Whether a code unit is white space in Unicode's sense. */
export function isSpace(code: number): boolean {
  if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) return true;
  if (code < 0x85) return false;
  return code === 0x85 || code === 0xa0 || code === 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000;
}

/** The number of code points. */
export function lengthOf(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    const code = text.charCodeAt(at);
    if (code < 0xd800 || code > 0xdbff) continue;
    const next = text.charCodeAt(at + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    length--;
    at++;
  }
  return length;
}

/** In lower case, code point by code point. */
export function lowerCase(text: string): string {
  return isAscii(text) ? text.toLowerCase() : mapCase(text, (character) => character.toLowerCase());
}

/** In upper case, code point by code point. */
export function upperCase(text: string): string {
  return isAscii(text) ? text.toUpperCase() : mapCase(text, (character) => character.toUpperCase());
}

/** A code point stays as it is if its other case is several code points: a text never grows. */
function mapCase(text: string, change: (character: string) => string): string {
  let result = "";
  for (const character of text) {
    const changed = change(character);
    result += lengthOf(changed) === 1 ? changed : character;
  }
  return result;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return false;
  }
  return true;
}

/** Without the white space at both ends. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** Without those of `characters` at both ends. */
export function trimCharacters(text: string, characters: string): string {
  const unwanted = new Set(characters);
  const all = [...text];
  let start = 0;
  let end = all.length;
  while (start < end && unwanted.has(all[start]!)) start++;
  while (end > start && unwanted.has(all[end - 1]!)) end--;
  return all.slice(start, end).join("");
}

/** The order of two texts by code points: negative, zero or positive. */
export function compareText(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return codePointRank(a) - codePointRank(b);
  }
  return left.length - right.length;
}

/** Moves surrogates above the rest of the basic plane, where the code points they stand for belong. */
function codePointRank(code: number): number {
  if (code < 0xd800) return code;
  return code > 0xdfff ? code - 0x800 : code + 0x2000;
}

/** Below this product of lengths the engine's own search is quick, whatever the texts. */
const NATIVE_SEARCH_PRODUCT = 1_000_000;

/** Whether `text` contains `part`, in time linear in both; a native search can take their product. */
export function containsText(text: string, part: string): boolean {
  if (part.length > text.length) return false;
  if (part.length < 2 || text.length * part.length <= NATIVE_SEARCH_PRODUCT) return text.includes(part);
  const borders = bordersOf(part);
  for (let at = 0, matched = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && code !== part.charCodeAt(matched)) matched = borders[matched - 1]!;
    if (code === part.charCodeAt(matched)) matched++;
    if (matched === part.length) return true;
  }
  return false;
}

/** For each prefix, the length of its longest proper prefix that is also its suffix (Knuth, Morris, Pratt). */
function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length);
  for (let at = 1, matched = 0; at < part.length; at++) {
    const code = part.charCodeAt(at);
    while (matched > 0 && code !== part.charCodeAt(matched)) matched = borders[matched - 1]!;
    if (code === part.charCodeAt(matched)) matched++;
    borders[at] = matched;
  }
  return borders;
}

/** The number of bytes as UTF-8. */
export function byteLength(text: string): number {
  return isAscii(text) ? text.length : new TextEncoder().encode(text).length;
}

/** The byte of the text as UTF-8 at an index within it. */
export function byteAt(text: string, index: number): number {
  return isAscii(text) ? text.charCodeAt(index) : new TextEncoder().encode(text)[index]!;
}

/** The bytes from one index to another, both within the text; a character cut in two becomes U+FFFD. */
export function sliceBytes(text: string, from: number, to: number): string {
  if (isAscii(text)) return text.slice(from, to);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text).subarray(from, to));
}
