/**
 * JSON that folds.
 *
 * @module
 */

import type { Json } from "../../../mod.ts";
import { bytes, plural } from "../format.ts";
import { type Html, markup } from "../html.ts";

const MAX_VALUES = 1_000;
const MAX_TEXT = 4_000;
const MAX_DEPTH = 40;
const OPEN_DEPTH = 2;
const MAX_COPY = 128 * 1024;

/** A value as a tree that folds. Of a large one, the beginning. */
export function jsonTree(value: Json): Html {
  const budget = { left: MAX_VALUES };
  const tree = render(undefined, value, 0, budget);
  return markup`<div class="json">${tree}${
    budget.left < 0 && markup`<p class="soft">There is more: see the raw JSON</p>`
  }</div>`;
}

/** One part of an execution's data: folded or open, with its size and a button to copy it. */
export function jsonPanel(
  title: string,
  value: Json,
  options: { id?: string; isOpen?: boolean; raw?: string } = {},
): Html {
  const text = JSON.stringify(value, null, 2);
  const { id, isOpen, raw } = options;
  const copy = text.length <= MAX_COPY &&
    markup`<button type="button" class="quiet" data-copy="${text}" aria-label="Copy ${title}">Copy</button>`;
  const link = raw !== undefined && markup`<a class="button quiet" href="${raw}">Raw</a>`;
  return markup`<details${id === undefined ? "" : markup` id="${id}"`}${
    isOpen ? markup` open` : ""
  }><summary><span>${title}</span><span class="soft small shape">${
    summary(
      value,
    )
  }</span><span class="grow"></span><span class="soft small">${
    bytes(text.length)
  }</span></summary><div class="tools">${copy}${link}</div><div class="body">${jsonTree(value)}</div></details>`;
}

function render(key: string | undefined, value: Json, depth: number, budget: { left: number }): Html | undefined {
  if (--budget.left < 0) return undefined;
  const name = key === undefined ? undefined : markup`<span class="key">${key}</span>: `;
  if (typeof value !== "object" || value === null) return markup`<div class="leaf">${name}${scalar(value)}</div>`;
  const entries = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : Object.entries(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) return markup`<div class="leaf">${name}${open}${close}</div>`;
  if (depth >= MAX_DEPTH) return markup`<div class="leaf">${name}${open}…${close}</div>`;
  const isOpen = depth < OPEN_DEPTH && entries.length <= 60;
  return markup`<details${isOpen ? markup` open` : ""}><summary>${name}<span class="soft">${
    summary(value)
  }</span></summary>${
    entries.map(([field, item]) => budget.left < 0 ? undefined : render(field, item, depth + 1, budget))
  }</details>`;
}

function scalar(value: null | boolean | number | string): Html {
  if (typeof value === "string") {
    const isLong = value.length > MAX_TEXT;
    const text = JSON.stringify(isLong ? value.slice(0, MAX_TEXT) : value);
    return markup`<span class="str">${text}</span>${
      isLong && markup`<span class="soft">… ${plural(value.length, "character")}</span>`
    }`;
  }
  return markup`<span class="${typeof value === "number" ? "num" : "lit"}">${String(value)}</span>`;
}

function summary(value: Json): string {
  if (Array.isArray(value)) return `[ ${plural(value.length, "item")} ]`;
  if (typeof value === "object" && value !== null) {
    const keys = Object.keys(value);
    const shown = keys.slice(0, 4).join(", ");
    return `{ ${shown.length > 60 ? `${shown.slice(0, 60)}…` : shown}${keys.length > 4 ? ", …" : ""} }`;
  }
  return value === null ? "null" : typeof value;
}
