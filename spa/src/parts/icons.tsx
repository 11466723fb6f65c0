/** The few pictures of the page. Each is drawn beside a word or inside a button that has a name. */
import type { ReactNode } from "react";

function Drawn({ children }: { children: ReactNode }) {
  return (
    <svg
      width="20"
      height="20"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const Sun = () => (
  <Drawn>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5" />
  </Drawn>
);
export const Moon = () => (
  <Drawn>
    <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />
  </Drawn>
);
export const Check = () => (
  <Drawn>
    <path d="m5 12.5 4.5 4.5L19 7.5" />
  </Drawn>
);
export const Cross = () => (
  <Drawn>
    <path d="m6 6 12 12M18 6 6 18" />
  </Drawn>
);
export const Warning = () => (
  <Drawn>
    <path d="M12 3 2 20h20zM12 10v4M12 17.5v.1" />
  </Drawn>
);
export const Copy = () => (
  <Drawn>
    <rect x="8" y="8" width="12" height="12" rx="2" />
    <path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" />
  </Drawn>
);
export const Search = () => (
  <Drawn>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </Drawn>
);
