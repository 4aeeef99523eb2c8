// This program sends the messages of one opportunity, from the start to the transition to Won. Oppflow must
// reject some of the messages. The program prints the result of each message as JSON, and exits with 1
// if a result is wrong.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import type { Outcome } from "./contract.js";
import { Oppflow, OpportunityError } from "./oppflow.js";

const steps: { name: string; answer: unknown }[] = [];

function told<A>(name: string, answer: A): A {
  steps.push({ name, answer });
  return answer;
}

/** Returns the type of the failure with which Oppflow rejects the message. Throws an error if Oppflow accepts the message. */
async function refused(name: string, sending: Promise<unknown>): Promise<string> {
  const answer = await sending.catch((error: unknown) => {
    if (error instanceof OpportunityError) {
      return error;
    }
    throw error;
  });
  assert(answer instanceof OpportunityError, `${name}: want a failure of Oppflow; got the result ${JSON.stringify(answer)}`);
  return told(name, answer.failure).type;
}

/** Waits until the request is no longer pending, and returns its outcome. */
async function finished(oppflow: Oppflow, reference: string, requestId: string): Promise<Outcome> {
  for (const ends = Date.now() + 60_000; ; await sleep(100)) {
    // The run may not have received the signal yet.
    const outcome = await oppflow.outcome(reference, requestId).catch((error: unknown) => {
      if (String(error).includes("NotFound")) {
        return undefined;
      }
      throw error;
    });
    if (outcome && outcome.state !== "pending") {
      return outcome;
    }
    assert(Date.now() < ends, `request ${requestId} is still pending after one minute`);
  }
}

async function play(oppflow: Oppflow, reference: string): Promise<void> {
  const start = { name: "First Aid course", region: "UK" };
  const opened = told("start", await oppflow.start(reference, start));
  assert.equal(opened.step?.name, "Proposed");
  const again = told("the same start again", await oppflow.start(reference, start));
  assert.equal(again.opportunity, opened.opportunity);
  assert.equal(await refused("another start", oppflow.start(reference, { ...start, name: "Fire Safety" })), "Conflict");

  told("details", await oppflow.update(reference, "updateDetails", { account: "Administrate", currency: "USD" }));

  const interests = {
    requestId: "interests-1",
    interests: [
      {
        item: "Q291cnNlOjE=", // the id of an event; the id contains the kind
        quantity: 1,
        unitAmount: "199.90",
        reserve: true,
        learners: [{ firstName: "Melissa", lastName: "Green", email: "melissa@example.com" }],
      },
      { item: "ABC-123", kind: "course" as const, quantity: 2, unitAmount: "150" },
    ],
  };
  const added = told("interests", await oppflow.update(reference, "addInterests", interests));
  assert.equal(added.results?.length, 2);
  assert(added.results[0]?.reservedUntil, "the place of the event is not reserved");
  const repeated = told("the same request again", await oppflow.update(reference, "addInterests", interests));
  assert.deepEqual(repeated, added);
  const other = { ...interests, interests: interests.interests.slice(1) };
  assert.equal(await refused("another request under its id", oppflow.update(reference, "addInterests", other)), "Conflict");

  const until = new Date(Date.now() + 30 * 86_400_000).toISOString();
  told("reservations", await oppflow.update(reference, "extendReservations", { until }));

  assert.equal(await refused("a step out of reach", oppflow.update(reference, "progress", { to: "Won" })), "TransitionNotFound");
  assert.equal(await refused("a step of no name", oppflow.update(reference, "progress", { to: "" })), "Invalid");

  told("pause", await oppflow.update(reference, "pause", { reason: "the account is being checked" }));
  assert.equal(await refused("an update while paused", oppflow.update(reference, "progress", { to: "Opportunity" })), "Paused");
  const signalled = await oppflow.signal(reference, "progress", { to: "Opportunity", requestId: "move-1" });
  const paused = await waiting(oppflow, reference);
  assert.equal(paused.paused?.reason, "the account is being checked");
  told("a signal while paused", await oppflow.outcome(reference, signalled));
  told("resume", await oppflow.update(reference, "resume", {}));
  assert.equal(told("the signal", await finished(oppflow, reference, signalled)).state, "done");

  const view = told("view", await oppflow.view(reference));
  assert.equal(view.step?.name, "Opportunity");
  assert.equal(view.total, "499.90");
  assert.equal(view.reservation?.valid, true);

  // The error text of a query contains the type of the failure.
  await assert.rejects(oppflow.outcome(reference, "never sent"), /NotFound: there is no request "never sent"/);

  told("won", await oppflow.update(reference, "progress", { to: "Won" }));
  const ended = told("ended", await oppflow.ended(reference));
  assert.equal(ended.state, "Won");
  assert.equal(ended.interests, 2);
  assert.equal(await refused("an update after the end", oppflow.update(reference, "progress", { to: "Lost" })), "Closed");
  assert.equal(await refused("a start after the end", oppflow.start(reference, start)), "Closed");
}

/** Waits until a command waits in the queue, and returns the view. */
async function waiting(oppflow: Oppflow, reference: string) {
  for (const ends = Date.now() + 60_000; ; await sleep(100)) {
    const view = await oppflow.view(reference);
    if (view.queue.length > 0) {
      return view;
    }
    assert(Date.now() < ends, "the signal does not wait in the queue after one minute");
  }
}

const reference = process.env["OPPORTUNITY"] ?? `story-${randomUUID()}`;
const connection = await Connection.connect({ address: process.env["TEMPORAL_ADDRESS"] ?? "127.0.0.1:7233" });
try {
  await play(new Oppflow(new Client({ connection, namespace: process.env["TEMPORAL_NAMESPACE"] ?? "default" })), reference);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  console.log(JSON.stringify({ reference, steps }, undefined, 2));
  await connection.close();
}
