import { describe, expect, it } from "vitest";
import { atMost } from "./at-most";

describe("atMost", () => {
  it("lets so many work at once, in order, and all come to their end", async () => {
    const gate = atMost(2);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = (number: number) =>
      gate(async () => {
        order.push(number);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running -= 1;
        return number;
      });
    expect(await Promise.all([1, 2, 3, 4, 5].map(work))).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });
  it("goes on after one that failed", async () => {
    const gate = atMost(1);
    const failed = gate(() => Promise.reject(new Error("no")));
    const next = gate(() => Promise.resolve("yes"));
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });
});
