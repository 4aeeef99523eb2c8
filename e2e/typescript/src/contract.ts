// The payloads and answers of the contract that the story uses. docs/schemas
// holds all of them, as JSON Schemas.

/** An exact decimal in quotes, such as "199.90". */
export type Amount = string;

/** Input of the workflow: a new record, or one that is there already. */
export type Start =
  | {
      name: string;
      region: string;
      account?: string;
      currency?: string;
      entryStep?: string;
      interests?: Interest[];
      requestId?: string;
    }
  | { adopt: string; requestId?: string };

export interface Interest {
  /** The id, code or name of what is sold. */
  item: string;
  /** May be left out where item is an id. */
  kind?: "course" | "event" | "path" | "tokens";
  quantity: number;
  unitAmount: Amount;
  reserve?: boolean;
  learners?: { firstName: string; lastName: string; email: string }[];
  contacts?: string[];
  /** Of training tokens: a local time without a zone. */
  expiresAt?: string;
  tax?: string;
}

/** The payloads of the messages that are signals and updates, by name. */
export interface Messages {
  addInterests: { interests: Interest[]; requestId?: string };
  progress: { to: string; requestId?: string };
  updateDetails: { name?: string; account?: string; currency?: string; requestId?: string };
  extendReservations: { until: string; requestId?: string };
  pause: { reason?: string; requestId?: string };
  resume: { requestId?: string };
  retry: { request: string; requestId?: string };
  skip: { request: string; reason: string; requestId?: string };
  refresh: { requestId?: string };
  close: { reason: string; requestId?: string };
}

export type State = "done" | "pending" | "failed";

/** What went wrong. Types may be added: take one you do not know for a failure. */
export interface Failure {
  type: string;
  label?: string;
  message?: string;
  value?: string;
}

/** Answer of every update but opened, and of the query outcome. */
export interface Outcome {
  requestId: string;
  state: State;
  results?: { interest?: string; item: string; reservedUntil?: string; error?: Failure }[];
  error?: Failure;
}

export interface Step {
  id: string;
  name: string;
  stage: { id: string; name: string; state: string };
}

/** Answer of the update opened. */
export interface Opened {
  state: State;
  reference: string;
  opportunity?: string;
  step?: Step;
}

/** Answer of the query view, as far as the story looks at it. */
export interface View {
  opportunity?: string;
  step?: Step;
  interests: { id: string; item: string; kind?: string; quantity: number; unitAmount: Amount }[];
  total: Amount;
  reservation?: { valid: boolean; until?: string };
  queue: { request: string; summary: string }[];
  paused?: { reason?: string; since: string };
  failures: number;
}

/** Result of the workflow. */
export interface Ended {
  reference: string;
  opportunity: string;
  state: string;
  step: Step;
  interests: number;
  total: Amount;
  currency?: string;
  failed: number;
}
