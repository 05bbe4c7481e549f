// Stands in for jsr:@nats-io/nats-core/internal where JSR cannot be reached: the same package's npm build.
export * from "npm:@nats-io/nats-core@3.4.0/internal";
