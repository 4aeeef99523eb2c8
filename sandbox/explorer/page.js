"use strict";
// The page stores nothing, so the browser forgets the token and all typed text when the user closes the page.
const root = document.getElementById("explorer");
const kept = new Map();
const storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => void kept.set(key, value),
  removeItem: (key) => void kept.delete(key),
  clear: () => kept.clear(),
  get length() { return kept.size; },
};
ReactDOM.createRoot(root).render(React.createElement(GraphiQL, {
  fetcher: GraphiQL.createFetcher({ url: root.dataset.url }),
  defaultQuery: root.dataset.query,
  defaultHeaders: root.dataset.headers,
  isHeadersEditorEnabled: true,
  storage,
}));
