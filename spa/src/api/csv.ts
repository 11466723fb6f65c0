import { ApiError } from "./client";

/** All events of a run as CSV, put together from as many parts as it comes in. */
export async function csvOf(runId: string): Promise<Blob> {
  const parts: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor && `?cursor=${encodeURIComponent(cursor)}`;
    const response: Response = await fetch(`/api/sync/runs/${runId}/events${query}`, {
      headers: { accept: "text/csv" },
    }).catch((error: Error) => {
      throw new ApiError(0, "unreachable", error.message);
    });
    if (!response.ok) throw await ApiError.of(response);
    const text = await response.text();
    // Each part has the header line; one is enough.
    parts.push(parts.length ? text.slice(text.indexOf("\n") + 1) : text);
    cursor = response.headers.get("x-next-cursor");
  }
  return new Blob(parts, { type: "text/csv" });
}

/** Offers a file for download. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
