export function Watching() {
  return null;
}
