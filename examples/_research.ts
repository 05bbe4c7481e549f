/**
 * The workers of `flows/research-pipeline.yaml`, by the subject they listen on.
 *
 * They only pretend to do research, but behave as real ones do: they take their time, look at the payload they are
 * given, and answer with one of their own.
 *
 * @module
 */

import type { Handler, Json, JsonObject } from "@packtrail/core";

/** The handlers by subject. `*` stands for the execution's id, which the flow puts at the end of each subject. */
export const researchers: Readonly<Record<string, Handler>> = {
  // What a handler answers becomes the shared payload, which the next node is given, and `results.triage`.
  "tasks.triage.*": async ({ payload }) => {
    await work(300);
    const topic = textOf(payload, "topic");
    return { status: "ok", payload: { topic, risk_score: /medic|weapon|minor/i.test(topic) ? 90 : 35 } };
  },
  "tasks.tech.*": async ({ payload }) => {
    await work(700);
    return {
      status: "ok",
      payload: { finding: `${textOf(payload, "topic")}: the technology is ready`, maturity: 0.8 },
    };
  },
  "tasks.market.*": async ({ payload }) => {
    await work(1_000);
    return { status: "ok", payload: { finding: `${textOf(payload, "topic")}: demand grows`, growth: 0.12 } };
  },
  // "retry" asks for another attempt, by the node's policy. Here the first one always finds its source busy.
  "tasks.legal.*": async ({ payload, attempt }) => {
    await work(200);
    if (attempt === 0) return { status: "retry", error: "the register of laws is busy" };
    return { status: "ok", payload: { finding: `${textOf(payload, "topic")}: no objections`, verdict: "clear" } };
  },
  // After a join the payload has the branches' outputs under `branches`.
  "tasks.synthesis.*": async ({ payload }) => {
    await work(500);
    const { topic = null, branches = {} } = payload as JsonObject;
    const findings = Object.values(branches as Record<string, JsonObject>).map(({ finding = "" }) => finding);
    return { status: "ok", payload: { title: `Report on ${topic}`, findings } };
  },
  // After a signal the payload has the signal's under its name.
  "tasks.publish.*": async ({ payload }) => {
    await work(200);
    const { title = null, findings = [], approval = {} } = payload as JsonObject;
    return { status: "ok", payload: { title, findings, approved_by: (approval as JsonObject).by ?? null } };
  },
  "tasks.escalation.*": async ({ executionId }) => {
    await work(200);
    return { status: "ok", payload: { escalated: true, case: executionId } };
  },
};

function textOf(payload: Json, field: string): string {
  return String((payload as JsonObject)[field] ?? "");
}

function work(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
