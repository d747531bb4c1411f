/** What a page shows or does, as it is said in a shell: one vocabulary in both. */
export function SameInShell({ command }: { readonly command: string }) {
  return (
    <p class="muted same">
      The same from a shell: <code>{command}</code>
    </p>
  )
}

/** A text as one word of a shell. */
export function quoted(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
