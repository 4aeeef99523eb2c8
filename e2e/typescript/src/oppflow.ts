// A client of Oppflow on top of @temporalio/client. The client starts opportunities, sends messages
// to opportunities, and distinguishes Oppflow's failures from Temporal's errors.

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

/** A failure that Oppflow returned. The type of the failure says what to do. */
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

  /** Starts the opportunity unless its run exists already, and returns when the record exists in the TMS. */
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

  /** Sends an update and returns its outcome. If the outcome is failed, update throws an OpportunityError. */
  async update<N extends keyof Messages>(reference: string, name: N, payload: Messages[N]): Promise<Outcome> {
    const requestId = payload.requestId ?? randomUUID(); // each repetition has the same request id
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

  /** Sends a signal and returns its request id. The signal takes effect once, or an operator sees why not. */
  async signal<N extends keyof Messages>(reference: string, name: N, payload: Messages[N]): Promise<string> {
    const requestId = payload.requestId ?? randomUUID();
    await own(() => this.handle(reference).signal(name, { ...payload, requestId }));
    return requestId;
  }

  /** Returns the outcome of a request. */
  outcome(reference: string, requestId: string): Promise<Outcome> {
    return own(() => this.handle(reference).query<Outcome, [{ requestId: string }]>("outcome", { requestId }));
  }

  /** Returns the view of the opportunity. Reading the view sends no request to the API. */
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

/** Repeats the call for up to two minutes while the outcome is pending or the run continues as new. */
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

/** Reports whether the run did not accept the message, because the run continues as new or another message arrived at the same time. */
function again(error: unknown): boolean {
  if (error instanceof ServiceError && isGrpcServiceError(error.cause)) {
    return error.cause.code === FAILED_PRECONDITION;
  }
  return error instanceof OpportunityError && error.failure.type === "Continuing";
}

/** The gRPC status of WorkflowNotReady. */
const FAILED_PRECONDITION = 9;

/** Calls ask, and converts an error about the opportunity into an OpportunityError. */
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
      return new OpportunityError({ type: "Closed", message: "the run ended before the update returned an outcome" });
    }
    const [details] = (failure.details ?? []) as Failure[];
    return new OpportunityError(details ?? { type: failure.type ?? "", message: failure.message });
  }
  // Temporal has no running workflow with this id: the workflow has ended or never existed.
  if (error instanceof WorkflowNotFoundError || error instanceof WorkflowExecutionAlreadyStartedError) {
    return new OpportunityError({ type: "Closed", message: error.message });
  }
  return error;
}
