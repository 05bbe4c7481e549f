/**
 * Pages that say something: what went wrong, or who is asked to sign in.
 *
 * @module
 */

import { markup } from "../html.ts";
import type { Problem } from "../problem.ts";
import { link, type Visit } from "../site.ts";
import { pageResponse } from "./page.ts";

const TITLES: Readonly<Record<number, string>> = {
  400: "That cannot be asked",
  403: "Refused",
  404: "Not found",
  405: "Not like this",
  409: "Not now",
  503: "NATS does not answer",
};

/** The page of a problem. */
export function problemPage(visit: Visit, problem: Problem): Response {
  const title = TITLES[problem.status] ?? "Something went wrong";
  const content = markup`<section class="panel"><div class="empty"> <h1>${title}</h1><p>${problem.message}</p><p>${
    advice(problem)
  } <a href="${link(visit, "/")}">Go to the overview</a></p></div></section>`;
  return pageResponse(visit, { title, content }, problem.status);
}

/** The page that asks for the token. */
export function signInPage(visit: Visit, message?: string): Response {
  const content = markup`<section class="panel">
      <header>
        <h1>Sign in</h1>
      </header>
      <form class="body form" method="post"
        action="${
    link(
      visit,
      "/sign-in",
    )
  }"><p class="soft">This dashboard asks for the token it was started with: <code>--token</code>.</p>${
    message !==
      undefined &&
    markup`<p class="note" role="alert">${message}</p>`
  }<label>Token<input type="password" name="token" autocomplete="current-password" required autofocus></label><input type="hidden" name="to" value="${visit.path}"><div class="row"><button class="primary">Sign in</button></div></form>
    </section>`;
  const response = pageResponse(visit, { title: "Sign in", content }, 401);
  response.headers.set("www-authenticate", `Bearer realm="packtrail"`);
  return response;
}

function advice({ status }: Problem): string {
  switch (status) {
    case 404:
      return "It may have been removed after its retention time.";
    case 503:
      return "Check that the NATS server runs and that this connection may read the namespace; this page can be reloaded.";
    default:
      return "";
  }
}
