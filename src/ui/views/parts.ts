/**
 * What views are made of.
 *
 * @module
 */

import type { ExecutionStatus } from "../../../mod.ts";
import { clock, count, relative } from "../format.ts";
import { type Html, markup, type Part } from "../html.ts";
import { executionLink, type Visit } from "../site.ts";

/** A status, as colour, shape and word. */
export function badge(status: ExecutionStatus): Html {
  return markup`<span class="badge ${status}">${status}</span>`;
}

/** A time, as far as it is from now; the exact one on demand. */
export function when(time: Date, { now }: Visit): Html {
  return markup`<time datetime="${time.toISOString()}" title="${clock(time)}" data-relative>${
    relative(time, now)
  }</time>`;
}

/** The link to an execution. */
export function executionRef(visit: Visit, id: string, isRow = false): Html {
  const href = executionLink(visit, id);
  return isRow
    ? markup`<a class="mono" href="${href}" title="${id}" data-row>${id}</a>`
    : markup`<a class="mono" href="${href}">${id}</a>`;
}

/** A panel with a heading. */
export function panel(title: Part, content: Part, options: { tools?: Part; id?: string } = {}): Html {
  const { tools, id } = options;
  return markup`<section class="panel" ${id === undefined ? "" : markup` id="${id}"`}><header><h2>${title}</h2>${
    tools === undefined ? "" : markup`<span class="grow"></span>${tools}`
  }</header>${content}</section>`;
}

/** What is said where there is nothing, and what to do about it. */
export function empty(title: string, advice: Part): Html {
  return markup`<div class="empty"><b>${title}</b>${advice}</div>`;
}

/** A number in a cell; 0 is quiet. */
export function numberCell(value: number, label: string, href?: string): Html {
  if (value === 0) return markup`<td class="num zero" data-label="${label}">0</td>`;
  const text = count(value);
  return markup`<td class="num" data-label="${label}">${
    href === undefined ? text : markup`<a href="${href}">${text}</a>`
  }</td>`;
}

/** The head of a table. Columns that begin with `#` are numbers. */
export function tableHead(columns: readonly string[]): Html {
  return markup`<thead><tr>${
    columns.map((name) =>
      name.startsWith("#")
        ? markup`<th scope="col" class="num">${name.slice(1)}</th>`
        : markup`<th scope="col">${name}</th>`
    )
  }</tr></thead>`;
}

/** A list of facts. */
export function facts(entries: readonly (readonly [string, Part] | undefined)[]): Html {
  const given = entries.filter((entry) => entry !== undefined);
  return markup`<dl class="facts">${
    given.map(([name, value]) => markup`<div> <dt>${name}</dt> <dd>${value}</dd></div>`)
  }</dl>`;
}
