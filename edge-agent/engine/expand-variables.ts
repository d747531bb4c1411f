/**
 * Kubernetes' `$(NAME)` references in command, args and env values: known names are replaced, unknown ones stay as they
 * are written, `$$(NAME)` is an escape for the text `$(NAME)`. Follows k8s.io/kubernetes third_party/forked/golang/expansion.
 */
export function expandVariables(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole: string, after: string, name: string | undefined) => {
    if (after === '$') return '$'
    return name === undefined ? whole : (values.get(name) ?? whole)
  })
}

/** Environment in the order written; a value may use the names before it. Literal values come from elsewhere and are left as they are. */
export function expandEnvironment(
  env: readonly { readonly name: string; readonly value?: string | undefined; readonly literal?: boolean }[],
): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const item of env) values.set(item.name, item.literal === true ? (item.value ?? '') : expandVariables(item.value ?? '', values))
  return values
}
