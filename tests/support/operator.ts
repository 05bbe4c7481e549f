/** A NATS server in operator mode: users with credentials files, as in production. @module */

import { nkeys } from "@nats-io/nats-core";
import { Buffer } from "node:buffer";

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** What users of a server in operator mode are made of. */
export interface Operator {
  /** The server's configuration. */
  config: string;
  /** The seed of the account that signs users. */
  seed: Uint8Array;
  /** The account's public key. */
  account: string;
}

/** A server's configuration with an operator, a system account, and an account with JetStream. */
export function operatorConfig(): Operator {
  const [operator, system, account] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const limits = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const ofOperator = { type: "operator", version: 2, system_account: system.getPublicKey() };
  const ofSystem = { type: "account", version: 2, limits };
  const ofAccount = { type: "account", version: 2, limits: { ...limits, ...storage } };
  const config = `
    operator: ${token(operator, operator, "operator", ofOperator)}
    system_account: ${system.getPublicKey()}
    resolver: MEMORY
    resolver_preload: {
      ${system.getPublicKey()}: ${token(operator, system, "system", ofSystem)}
      ${account.getPublicKey()}: ${token(operator, account, "account", ofAccount)}
    }`;
  return { config, seed: account.getSeed(), account: account.getPublicKey() };
}

/** The text of a credentials file of a new user of an account. */
export function credentials({ seed }: Operator): string {
  const [account, user] = [nkeys.fromSeed(seed), nkeys.createUser()];
  const claims = { type: "user", version: 2, pub: {}, sub: {}, subs: -1, data: -1, payload: -1 };
  const frame = (name: string, text: string) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`;
  const secret = new TextDecoder().decode(user.getSeed());
  return frame("NATS USER JWT", token(account, user, "user", claims)) + "\n" + frame("USER NKEY SEED", secret);
}

/** A signed claim about a key. */
function token(issuer: KeyPair, subject: KeyPair, name: string, nats: Record<string, unknown>): string {
  const claims = {
    jti: crypto.randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name,
    nats,
  };
  const encoded = [{ typ: "JWT", alg: "ed25519-nkey" }, claims].map((part) => base64url(JSON.stringify(part))).join(
    ".",
  );
  const signature = issuer.sign(new TextEncoder().encode(encoded));
  return `${encoded}.${Buffer.from(signature).toString("base64url")}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
