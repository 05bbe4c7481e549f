import { assertEquals } from "@std/assert";
import { chooseArchives, formatSource, parseDeb822, parseList } from "./apt_sources.ts";

Deno.test("a one-line sources file gives its archives with a main component", () => {
  const text = `
# deb http://old.example/debian sid main
deb http://a.example/debian bookworm main contrib
deb [arch=amd64 signed-by=/keys/b.gpg] http://b.example/debian trixie main # ours
deb http://a.example/debian-security bookworm-security main
deb-src http://a.example/debian bookworm main
deb http://c.example/apt stable extra
`;
  assertEquals(parseList(text), [
    { uri: "http://a.example/debian" },
    { uri: "http://b.example/debian", signedBy: "/keys/b.gpg" },
  ]);
});

Deno.test("a deb822 sources file gives the archives of each enabled stanza", () => {
  const text = `Types: deb deb-src
# a comment inside the stanza
URIs: http://a.example/debian http://b.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/a.gpg

Types: deb
URIs: http://a.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: sid
Components: main
`;
  assertEquals(parseDeb822(text), [
    { uri: "http://a.example/debian", signedBy: "/keys/a.gpg" },
    { uri: "http://b.example/debian", signedBy: "/keys/a.gpg" },
  ]);
});

Deno.test("a key inside a deb822 stanza is carried over word for word", () => {
  const key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----";
  const [archive] = parseDeb822(
    `Types: deb\nURIs: http://a.example/debian\nSuites: sid\nComponents: main\nSigned-By:${key}\n`,
  );
  assertEquals(archive, { uri: "http://a.example/debian", signedBy: key });
  assertEquals(parseDeb822(formatSource(archive!, "forky")), [archive]);
});

Deno.test("Debian's archives are tried first, each once, and no CD-ROM", () => {
  const archives = [
    "http://x.example/ubuntu",
    "cdrom:[Debian]/",
    "http://a.example/debian/",
    "http://a.example/debian",
  ];
  assertEquals(chooseArchives(archives.map((uri) => ({ uri }))), [
    { uri: "http://a.example/debian/" },
    { uri: "http://x.example/ubuntu" },
  ]);
});
