/**
 * Reads a flow from a tree of values by the description of the format, whatever the tree was made of.
 *
 * What comes out is a draft: in the normal form's terms (camelCase, durations in milliseconds), with parts missing where
 * they could not be read. The place of each part is kept beside it, for the checks that follow.
 *
 * @module
 */

import { type Duration, MAX_DURATION_MS, parseDuration } from "../duration.ts";
import { isName } from "../names.ts";
import {
  type FieldFormat,
  type FieldType,
  FLOW_FORMAT,
  NODE_FORMATS,
  NODE_TYPES,
  type ObjectFormat,
  spelled,
  typesWithField,
} from "./format.ts";
import type { Problems } from "./problems.ts";
import { describe, type Place, type ScalarValue, type Spelling, type TableValue, type Value } from "./source.ts";
import { suggestion } from "./suggest.ts";
import type { FlowDef, NodeDef } from "./types.ts";

/** A definition of which parts may be missing. */
export type Draft<T> = T extends readonly (infer Item)[] ? Draft<Item>[]
  : T extends object ? { [Key in keyof T]?: Key extends "type" ? T[Key] : Draft<T[Key]> }
  : T;

/** A node of which parts may be missing; its type is known. */
export type NodeDraft<Type extends NodeDef["type"] = NodeDef["type"]> = {
  [Key in Type]: Draft<Extract<NodeDef, { type: Key }>> & { type: Key };
}[Type];

/** A flow as far as it could be read. */
export interface FlowDraft {
  /** The definition, in the normal form's terms. */
  readonly def: Draft<FlowDef>;
  /** The nodes of a known type. */
  readonly nodes: readonly NodeDraft[];
  /** Where the parts of the definition stand. */
  readonly places: Places;
  /** Whether all that makes the graph could be read: ids, types, edges and references. */
  readonly whole: boolean;
}

/** Where the parts of a draft stand. */
export class Places {
  readonly #selves = new Map<object, Place>();
  readonly #parts = new Map<object, Map<string | number, Place>>();

  /** Keeps the place of an object or list. */
  set(owner: object, place: Place): void {
    this.#selves.set(owner, place);
    this.#parts.set(owner, new Map());
  }

  /** Keeps the place of a field or item. */
  setPart(owner: object, key: string | number, place: Place): void {
    this.#parts.get(owner)?.set(key, place);
  }

  /** Whether a field was given, readable or not. */
  has(owner: object, key: string): boolean {
    return this.#parts.get(owner)?.has(key) ?? false;
  }

  /** The place of an object or list, or of a field or item of it where that has one. */
  of(owner: object, key?: string | number): Place {
    const self = this.#selves.get(owner) ?? {};
    return key === undefined ? self : this.#parts.get(owner)?.get(key) ?? self;
  }
}

/** Reads a flow; what cannot be read is added to `problems`. */
export function readFlow(value: Value, options: { problems: Problems; spelling: Spelling }): FlowDraft {
  const reader = new Reader(options.problems, options.spelling, declaredIds(value));
  const def: Draft<FlowDef> = reader.readObject(value, FLOW_FORMAT) ?? {};
  const nodes = (def.nodes ?? []) as NodeDraft[];
  return { def, nodes, places: reader.places, whole: reader.whole };
}

/** The ids of all nodes, legal or not: references are checked while they are read. */
function declaredIds(flow: Value): ReadonlySet<string> {
  const nodes = flow.kind === "table" ? flow.entries.get("nodes")?.value : undefined;
  const ids = new Set<string>();
  for (const node of nodes?.kind === "list" ? nodes.items : []) {
    const id = node.kind === "table" ? node.entries.get("id")?.value : undefined;
    if (id?.kind === "scalar" && typeof id.value === "string") ids.add(id.value);
  }
  return ids;
}

class Reader {
  readonly places: Places = new Places();
  whole = true;
  readonly #problems: Problems;
  readonly #spelling: Spelling;
  readonly #ids: ReadonlySet<string>;

  constructor(problems: Problems, spelling: Spelling, ids: ReadonlySet<string>) {
    this.#problems = problems;
    this.#spelling = spelling;
    this.#ids = ids;
  }

  readObject(value: Value, format: ObjectFormat): Record<string, unknown> | undefined {
    if (value.kind !== "table") {
      this.whole = false;
      return this.#refuse(value, `must be a mapping with the fields of ${format.title}`);
    }
    const object: Record<string, unknown> = {};
    this.places.set(object, value.place);
    this.#checkFields(value, format);
    for (const field of format.fields) {
      const entry = value.entries.get(spelled(field.name, this.#spelling));
      if (entry === undefined) {
        if (field.required) this.#missing(value, field, format);
        continue;
      }
      this.places.setPart(object, field.name, entry.value.place);
      const read = this.#read(entry.value, field.type);
      if (read !== undefined) object[field.name] = read;
    }
    return object;
  }

  #missing(table: TableValue, field: FieldFormat, format: ObjectFormat): void {
    if (field.type.kind !== "integer") this.whole = false;
    const name = spelled(field.name, this.#spelling);
    this.#problems.add(table.place, `is missing: ${format.title} needs it`, { field: name });
  }

  #checkFields(table: TableValue, format: ObjectFormat): void {
    const known = format.fields.map((field) => spelled(field.name, this.#spelling));
    for (const [name, { key }] of table.entries) {
      if (known.includes(name)) continue;
      const hint = this.#elsewhere(name, format) ?? suggestion(name, known);
      // A misspelt `edges` or `to` would show as many other faults of the graph.
      if (hint !== "") this.whole = false;
      this.#problems.add(key, () => `is not a field of ${format.title}${hint || `; it has ${listed(known)}`}`);
    }
  }

  #elsewhere(name: string, format: ObjectFormat): string | undefined {
    if (!Object.values(NODE_FORMATS).includes(format)) return undefined;
    const field = NODE_TYPES.flatMap((type) => NODE_FORMATS[type].fields)
      .find((candidate) => spelled(candidate.name, this.#spelling) === name);
    if (field === undefined) return undefined;
    return `: it belongs to ${typesWithField(field.name).map((type) => NODE_FORMATS[type].title).join(" or ")}`;
  }

  #read(value: Value, type: FieldType): unknown {
    if (value.kind === "scalar" && value.value === null) {
      if (type.kind !== "duration" && type.kind !== "integer") this.whole = false;
      this.#problems.add(value.place, "must not be empty: give it a value or remove it");
      return undefined;
    }
    switch (type.kind) {
      case "object":
        return this.readObject(value, type.of);
      case "node":
        return this.#readNode(value);
      case "list":
        return this.#readList(value, type);
      case "duration":
        return this.#readDuration(value);
      case "integer":
        return this.#readInteger(value, type);
      case "true":
        if (value.kind === "scalar" && value.value === true) return true;
        return this.#refuse(value, "must be `true` where it is given");
      default:
        return this.#readString(value, type);
    }
  }

  #readNode(value: Value): Record<string, unknown> | undefined {
    if (value.kind !== "table") return this.readObject(value, { title: "a node", fields: [] });
    const type = value.entries.get("type");
    if (type === undefined) {
      this.whole = false;
      this.#problems.add(value.place, `is missing: a node is one of ${listed(NODE_TYPES)}`, { field: "type" });
      return undefined;
    }
    const name = type.value.kind === "scalar" ? type.value.value : undefined;
    const found = NODE_TYPES.find((candidate) => candidate === name);
    if (found !== undefined) return this.readObject(value, NODE_FORMATS[found]);
    this.whole = false;
    this.#readString(type.value, { kind: "word", words: NODE_TYPES });
    return undefined;
  }

  #readList(value: Value, type: FieldType & { kind: "list" }): unknown[] | undefined {
    if (value.kind !== "list") {
      this.whole = false;
      return this.#refuse(value, "must be a list");
    }
    if (value.items.length < type.min) {
      this.whole = false;
      this.#problems.add(value.place, "must not be empty");
    }
    if (type.max !== undefined && value.items.length > type.max) {
      this.whole = false;
      return this.#refuse(value, `must hold at most ${type.max}`, `${value.items.length}`);
    }
    const list: unknown[] = [];
    this.places.set(list, value.place);
    for (const item of value.items) {
      const read = this.#read(item, type.of);
      if (read === undefined) continue;
      this.places.setPart(list, list.length, item.place);
      list.push(read);
    }
    return list;
  }

  #readDuration(value: Value): Duration | undefined {
    const ms = value.kind === "scalar" ? parseDuration(value.value) : undefined;
    if (ms !== undefined) return ms;
    const most = `${MAX_DURATION_MS / 3_600_000}h`;
    return this.#refuse(
      value,
      `must be a duration such as "250ms", "30s" or "1h30m", or milliseconds, above 0 and up to ${most}`,
    );
  }

  #readInteger(value: Value, { min, max }: FieldType & { kind: "integer" }): number | undefined {
    const number = value.kind === "scalar" ? value.value : undefined;
    if (typeof number === "number" && Number.isInteger(number) && number >= min && number <= max) return number;
    return this.#refuse(value, `must be a whole number from ${min} to ${max}`);
  }

  #readString(value: Value, type: FieldType): string | undefined {
    if (value.kind !== "scalar" || typeof value.value !== "string") {
      this.whole = false;
      return this.#refuse(value, "must be a string", undefined, value.kind === "scalar" ? quoteIt(value) : "");
    }
    const text = value.value;
    switch (type.kind) {
      case "name":
        if (isName(text)) return text;
        // The node is there, only its name is not legal: what refers to it is no second fault.
        this.#refuse(value, "must be a name of letters, digits, `_` and `-`, 1 to 128 of them");
        return text;
      case "reference":
        if (this.#ids.has(text)) return text;
        this.whole = false;
        this.#problems.add(value.place, () => `there is no node ${describeText(text)}${suggestion(text, this.#ids)}`);
        return undefined;
      case "word":
        if (type.words.includes(text)) return text;
        return this.#refuse(value, `must be ${listed(type.words)}`, undefined, nearWord(text, type.words));
      case "pattern":
        if (type.pattern.test(text)) return text;
        return this.#refuse(value, `must be ${type.expected}`, undefined, suggestion(text, type.words));
      default:
        if (text.trim() !== "" && text.isWellFormed()) return text;
        return this.#refuse(value, "must be a text that is not blank");
    }
  }

  #refuse(value: Value, expected: string, found?: string, hint = ""): undefined {
    this.#problems.add(value.place, () => `${expected}, not ${found ?? describe(value)}${hint}`);
  }
}

/** What somebody meant who wrote a number or a boolean for a string. */
function quoteIt(value: ScalarValue): string {
  if (value.value === null) return "";
  const written = value.written ?? String(value.value);
  return written.length > 40 ? "; quote it" : `; quote it: "${written}"`;
}

/** Of a single word nothing need be suggested: the message names it. */
function nearWord(text: string, words: readonly string[]): string {
  return words.length === 1 ? "" : suggestion(text, words);
}

function describeText(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

function listed(words: readonly string[]): string {
  const marked = words.map((word) => `\`${word}\``);
  return marked.length < 2 ? marked.join("") : `${marked.slice(0, -1).join(", ")} or ${marked.at(-1)}`;
}
