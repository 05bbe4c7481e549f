// Stands in for jsr:@nats-io/kv where JSR cannot be reached: the same package's npm build.
export * from "npm:@nats-io/kv@3.4.0";
