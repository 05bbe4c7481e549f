import { assertRejects } from "@std/assert";
import { verify } from "./release.ts";

const SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Deno.test("an archive passes only with the pinned digest", async () => {
  await verify("a.tar.gz", new TextEncoder().encode("abc"), SHA256_OF_ABC);
  await assertRejects(
    () => verify("a.tar.gz", new TextEncoder().encode("abd"), SHA256_OF_ABC),
    Error,
    "a.tar.gz has the SHA-256",
  );
});
