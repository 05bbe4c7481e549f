// Stands in for jsr:@nats-io/jetstream where JSR cannot be reached: the same package's npm build.
export * from "npm:@nats-io/jetstream@3.4.0";
