// What a service has to do around @temporalio/client to talk to Oppflow: start
// opportunities, send them messages, and tell its failures from Temporal's.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ApplicationFailure,
  type Client,
  isGrpcServiceError,
  ServiceError,
  WithStartWorkflowOperation,
  type WorkflowHandle,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import type { CreateOutcome, Failure, Messages, Outcome, RunResult, Start, View } from "./contract.js";

/** A failure that is the opportunity's own: its type says what to do. */
export class OpportunityError extends Error {
  constructor(readonly failure: Failure) {
    super([failure.type, failure.label, failure.message].filter(Boolean).join(": "));
    this.name = "OpportunityError";
  }
}

/** The workflow of an opportunity. */
type Lifecycle = (start: Start) => Promise<RunResult>;

export class Oppflow {
  constructor(private readonly temporal: Client) {}

  /** Starts the opportunity unless it runs, and answers when its record exists in the TMS. */
  start(reference: string, start: Start): Promise<CreateOutcome> {
    return settled(() =>
      this.temporal.workflow.executeUpdateWithStart<Lifecycle, CreateOutcome, [{ start: Start }]>("opened", {
        updateId: randomUUID(),
        args: [{ start }],
        startWorkflowOperation: new WithStartWorkflowOperation<Lifecycle>("Lifecycle", {
          workflowId: workflowId(reference),
          taskQueue: "opportunities",
          args: [start],
          workflowIdConflictPolicy: "USE_EXISTING",
          workflowIdReusePolicy: "ALLOW_DUPLICATE_FAILED_ONLY",
        }),
      }),
    );
  }

  /** Sends an update and answers its outcome. A failed one is thrown. */
  async update<N extends keyof Messages>(reference: string, name: N, payload: Messages[N]): Promise<Outcome> {
    const requestId = payload.requestId ?? randomUUID(); // the same each time it is asked again
    const outcome = await settled(() =>
      this.handle(reference).executeUpdate<Outcome, [Messages[N]]>(name, {
        updateId: randomUUID(),
        args: [{ ...payload, requestId }],
      }),
    );
    if (outcome.state === "failed" && outcome.error) {
      throw new OpportunityError(outcome.error);
    }
    return outcome;
  }

  /** Sends a signal and forgets it. It takes effect once, or an operator sees why not. */
  async signal<N extends keyof Messages>(reference: string, name: N, payload: Messages[N]): Promise<string> {
    const requestId = payload.requestId ?? randomUUID();
    await own(() => this.handle(reference).signal(name, { ...payload, requestId }));
    return requestId;
  }

  /** What became of a request. */
  outcome(reference: string, requestId: string): Promise<Outcome> {
    return own(() => this.handle(reference).query<Outcome, [{ requestId: string }]>("outcome", { requestId }));
  }

  /** The whole picture, without a call to the TMS. */
  view(reference: string): Promise<View> {
    return own(() => this.handle(reference).query<View>("view"));
  }

  /** Waits for the end of the run. A playbook may keep the run open after the end of the opportunity. */
  ended(reference: string): Promise<RunResult> {
    return this.handle(reference).result();
  }

  private handle(reference: string): WorkflowHandle<Lifecycle> {
    return this.temporal.workflow.getHandle<Lifecycle>(workflowId(reference));
  }
}

function workflowId(reference: string): string {
  return `opportunity/${reference}`;
}

/** Asks again while the answer is pending or the run continues in a new one, for two minutes. */
async function settled<A extends { state: string }>(ask: () => Promise<A>): Promise<A> {
  const ends = Date.now() + 120_000;
  for (let pause = 100; ; pause = Math.min(2 * pause, 2_000)) {
    try {
      const answer = await own(ask);
      if (answer.state !== "pending" || Date.now() > ends) {
        return answer;
      }
    } catch (error) {
      if (!again(error) || Date.now() > ends) {
        throw error;
      }
    }
    await sleep(pause);
  }
}

/** Tells whether the message was not taken, since the run continues in a new one or something else came in the same moment. */
function again(error: unknown): boolean {
  if (error instanceof ServiceError && isGrpcServiceError(error.cause)) {
    return error.cause.code === FAILED_PRECONDITION;
  }
  return error instanceof OpportunityError && error.failure.type === "Continuing";
}

/** The gRPC status of WorkflowNotReady. */
const FAILED_PRECONDITION = 9;

/** Turns what Temporal throws into the opportunity's own failure, where it is one. */
async function own<A>(ask: () => Promise<A>): Promise<A> {
  try {
    return await ask();
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) {
    const failure = error.cause;
    if (failure.type === "AcceptedUpdateCompletedWorkflow") {
      return new OpportunityError({ type: "Closed", message: "it ended before it responded" });
    }
    const [details] = (failure.details ?? []) as Failure[];
    return new OpportunityError(details ?? { type: failure.type ?? "", message: failure.message });
  }
  // Temporal knows no running workflow of that id: it has ended, or never began.
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) {
    return new OpportunityError({ type: "Closed", message: error.message });
  }
  return error;
}
