/* The page's shell without a network. Only files of this build: never /api, whose answers the page itself keeps, nor
 * pictures. VERSION and FILES are written in by the build. Own code, since Workbox would bring 300 packages for it. */
const CACHE = `shell-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    // An answer of the API that is opened by itself, such as a CSV file, is no page.
    if (pathname.startsWith("/api/") || pathname.startsWith("/t/p/")) return;
    event.respondWith(fetch(request).catch(() => caches.match("/index.html", { cacheName: CACHE })));
  } else if (FILES.includes(pathname)) {
    event.respondWith(caches.match(pathname, { cacheName: CACHE }).then((kept) => kept ?? fetch(request)));
  }
});
