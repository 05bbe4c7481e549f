/**
 * `doctor` on permissions: what the user may do, compared with what each role needs.
 *
 * @module
 */

import type { PermissionOptions, Permissions, Role } from "../../../mod.ts";
import { permissionsFor } from "../../../mod.ts";
import { advice, bad, type Finding, good, unknown } from "./finding.ts";

/** The roles there are. */
export const ROLES: readonly Role[] = ["engine", "worker", "async-worker", "client", "observer"];

/** What a NATS server says of a connection's user: `$SYS.REQ.USER.INFO`. */
export interface UserInfo {
  /** The user's name. */
  readonly user?: string;
  /** The account. */
  readonly account?: string;
  /** What it may do; everything where absent. */
  readonly permissions?: {
    readonly publish?: SubjectRules;
    readonly subscribe?: SubjectRules;
    readonly responses?: unknown;
  };
}

interface SubjectRules {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Which roles the user may play; with a role, whether it may play that one. */
export function checkPermissions(info: UserInfo | undefined, role: Role | undefined, of: PermissionOptions): Finding {
  const check = "permissions";
  const todo = (missing: Role) => `\`packtrail permissions --role ${missing}\` prints what the user needs`;
  if (info === undefined) {
    return unknown(
      check,
      "the user may not ask for its own permissions",
      "allow it to publish to $SYS.REQ.USER.INFO, or compare with `packtrail permissions --role …`",
    );
  }
  const who = [info.account, info.user].filter(Boolean).join(", user ");
  // What an async worker needs depends on its kinds.
  const known = of.asyncKinds === undefined ? ROLES.filter((each) => each !== "async-worker") : ROLES;
  const wanted = role === undefined ? known : [role];
  const lacks = new Map(wanted.map((each) => [each, lacking(info, permissionsFor(each, of))]));
  const able = wanted.filter((each) => lacks.get(each)!.length === 0);
  if (able.length === 0) {
    const first = wanted[0]!;
    const found = role === undefined ? "the user may play no role" : `the user may not play ${role}`;
    return bad(check, `${found}: account ${who} lacks ${lacks.get(first)!.slice(0, 3).join(", ")}`, todo(first));
  }
  if (info.permissions === undefined) {
    return advice(
      check,
      `account ${who} may do everything`,
      "in production give each process a user with its role's permissions: `packtrail permissions --role …`",
    );
  }
  return good(check, `account ${who} may play: ${able.join(", ")}`);
}

/** What a user lacks for a role. */
function lacking({ permissions }: UserInfo, needed: Permissions): string[] {
  if (permissions === undefined) return [];
  const { publish, subscribe, responses } = permissions;
  return [
    ...needed.publish.filter((subject) => !isAllowed(publish, subject)).map((subject) => `publish ${subject}`),
    ...needed.subscribe.filter((subject) => !isAllowed(subscribe, subject)).map((subject) => `subscribe ${subject}`),
    ...(needed.allowResponses && publish?.allow !== undefined && responses === undefined ? ["allow_responses"] : []),
  ];
}

function isAllowed(rules: SubjectRules | undefined, subject: string): boolean {
  if (rules === undefined) return true;
  const isIn = (list: readonly string[]) => list.some((pattern) => covers(pattern.split(" ")[0]!, subject));
  return (rules.allow === undefined || isIn(rules.allow)) && !isIn(rules.deny ?? []);
}

/** Whether every subject of a pattern is also one of another. */
export function covers(pattern: string, subject: string): boolean {
  const [wide, narrow] = [pattern.split("."), subject.split(".")];
  for (const [index, token] of wide.entries()) {
    const other = narrow[index];
    if (token === ">") return other !== undefined;
    if (other === undefined || other === ">") return false;
    if (token !== "*" && token !== other) return false;
  }
  return wide.length === narrow.length;
}
