/**
 * A reference to an image in a narrow place: without its registry, which is the same for most, and with its tag whole, which is what tells
 * two releases apart. The rest is in its title.
 */
export function Image({ name }: { readonly name: string }) {
  const path = name.replace(/^(?:[^/]*[.:][^/]*|localhost)\//, '')
  const at = path.lastIndexOf(':') > path.lastIndexOf('/') ? path.lastIndexOf(':') : path.length
  return (
    <code class="image" title={name}>
      <span>{path.slice(0, at)}</span>
      {path.slice(at)}
    </code>
  )
}
