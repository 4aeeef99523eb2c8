// A payload codec for @temporalio/client that reads and writes Oppflow's encrypted payloads.
// docs/encryption.md describes the format.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";

const encoding = "binary/oppflow-aes256gcm";
const associatedData = Buffer.from(encoding);

/** The keys of a key file: `primaryKeyId`, and the 32 bytes of each key by its id. */
export interface Keys {
  primary: number;
  byID: Map<number, Buffer>;
}

/** Reads the JSON of a key file. */
export function parseKeys(json: string): Keys {
  const file = JSON.parse(json) as { primaryKeyId: number; key: { keyId: number; status: string; keyData: { value: string } }[] };
  const byID = new Map<number, Buffer>();
  for (const { keyId, status, keyData } of file.key) {
    // A protobuf message with one field: the tag 1a, the length 20 (hexadecimal), and the key.
    if (status === "ENABLED") byID.set(keyId, Buffer.from(keyData.value, "base64").subarray(2));
  }
  return { primary: file.primaryKeyId, byID };
}

export class OppflowCodec implements PayloadCodec {
  constructor(private readonly keys: Keys) {}

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((p) => this.encrypt(p));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((p) => (text(p.metadata?.["encoding"]) === encoding ? this.decrypt(p) : p));
  }

  private encrypt(payload: Payload): Payload {
    const id = this.keys.primary;
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.key(id), nonce).setAAD(associatedData);
    const prefix = Buffer.alloc(5, 1);
    prefix.writeUInt32BE(id, 1);
    const data = Buffer.concat([prefix, nonce, cipher.update(marshal(payload)), cipher.final(), cipher.getAuthTag()]);
    return { metadata: { encoding: Buffer.from(encoding), "encryption-key-id": Buffer.from(String(id)) }, data };
  }

  private decrypt(payload: Payload): Payload {
    const data = Buffer.from(payload.data ?? []);
    if (data.length < 33 || data[0] !== 1) throw new Error("an encrypted payload is damaged");
    const decipher = createDecipheriv("aes-256-gcm", this.key(data.readUInt32BE(1)), data.subarray(5, 17));
    decipher.setAAD(associatedData).setAuthTag(data.subarray(-16));
    return unmarshal(Buffer.concat([decipher.update(data.subarray(17, -16)), decipher.final()]));
  }

  private key(id: number): Buffer {
    const key = this.keys.byID.get(id);
    if (!key) throw new Error(`the key file has no key ${id}`);
    return key;
  }
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

// temporal.api.common.v1.Payload: field 1 is a map from string to bytes, field 2 is bytes.

function field(number: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = content.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length, rest]), content]);
}

function marshal({ metadata, data }: Payload): Buffer {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, value)])),
  );
  return Buffer.concat([...entries, ...(data?.length ? [field(2, data)] : [])]);
}

function unmarshal(bytes: Buffer): Payload {
  const metadata: Record<string, Uint8Array> = {};
  let data: Buffer = Buffer.alloc(0);
  for (const [number, content] of fields(bytes)) {
    if (number === 2) data = content;
    if (number !== 1) continue;
    const entry = new Map(fields(content));
    metadata[text(entry.get(1))] = entry.get(2) ?? Buffer.alloc(0);
  }
  return { metadata, data };
}

function* fields(bytes: Buffer): Generator<[number, Buffer]> {
  for (let at = 0; at < bytes.length; ) {
    const number = bytes[at++]! >> 3;
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      length += (byte % 128) * factor;
      if (byte < 128) break;
    }
    yield [number, bytes.subarray(at, at + length)];
    at += length;
  }
}
