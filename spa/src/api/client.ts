/** The one way to the API: types from openapi.json, CSRF header, errors as ApiError. */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What the API refused (problem+json, RFC 9457), or `unreachable` when no answer came at all. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** A stable word: http-api.md, Errors. */
    readonly code: string,
    readonly detail: string,
    readonly requestId: string | null = null,
    /** Seconds. */
    readonly retryAfter: number | null = null,
    /** The whole body: some problems say more, such as the `run_id` of `run_active`. */
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.name = "ApiError";
  }

  static async of(response: Response): Promise<ApiError> {
    const body: Record<string, unknown> = await response.json().catch(() => ({}));
    const word = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : null);
    return new ApiError(
      response.status,
      word("code") ?? word("status") ?? `http_${response.status}`,
      word("detail") ?? response.statusText,
      word("request_id"),
      Number(response.headers.get("retry-after")) || null,
      body,
    );
  }
}

export const SAFE = new Set(["GET", "HEAD"]);

const ours: Middleware = {
  onRequest({ request }) {
    // No other site can make a browser send this header: the server's proof that the page itself asked.
    if (!SAFE.has(request.method)) request.headers.set("X-CSRF", "1");
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await ApiError.of(response);
  },
  onError({ error }) {
    if (error instanceof ApiError) return error;
    return new ApiError(0, "unreachable", error instanceof Error ? error.message : String(error));
  },
};

export const api = createClient<paths>({ baseUrl: "/api", credentials: "same-origin" });
api.use(ours);

/** The body of an answer that is never an error, since those are thrown. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  const { data } = await answer;
  if (data === undefined || data === null) throw new ApiError(0, "unreadable", "the answer has no body");
  return data as NonNullable<T>;
}

/** An answer of an upstream by way of the proxy, whose schema is the upstream's own. */
export async function proxied<T>(
  path: string,
  query: Record<string, string> = {},
): Promise<{ data: T; headers: Headers }> {
  const search = new URLSearchParams(query).toString();
  const response = await fetch(`/api${path}${search && `?${search}`}`).catch((error: Error) => {
    throw new ApiError(0, "unreachable", error.message);
  });
  if (!response.ok) throw await ApiError.of(response);
  return { data: (await response.json()) as T, headers: response.headers };
}
