// Checks the codec with the test vectors of payload/testdata/vectors.json.

import { deepStrictEqual, ok, rejects } from "node:assert";
import { readFileSync } from "node:fs";
import { OppflowCodec, parseKeys } from "./encryption.js";

interface Vector {
  name: string;
  encryptedMetadata: Record<string, string>;
  encryptedData: string;
  clearMetadata: Record<string, string>;
  clearData: string | null;
}

const file = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as { keySet: unknown; vectors: Vector[] };
const codec = new OppflowCodec(parseKeys(JSON.stringify(file.keySet)));
const payload = (metadata: Record<string, string>, data: string | null) => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value)])),
  data: Buffer.from(data ?? "", "base64"),
});

for (const v of file.vectors) {
  const clear = payload(v.clearMetadata, v.clearData);
  deepStrictEqual(await codec.decode([payload(v.encryptedMetadata, v.encryptedData)]), [clear], v.name);
  const encrypted = await codec.encode([clear]);
  deepStrictEqual(await codec.decode(encrypted), [clear], v.name);
  encrypted[0]!.data![20]! ^= 1;
  await rejects(codec.decode(encrypted), v.name);
}
ok(file.vectors.length > 0);
const long = payload({ encoding: "json/plain" }, Buffer.alloc(100_000, "x").toString("base64"));
deepStrictEqual(await codec.decode(await codec.encode([long])), [long]);
// The Go test decrypts this payload.
console.log(JSON.stringify((await codec.encode([long])).map(({ data }) => Buffer.from(data!).toString("base64"))[0]));
