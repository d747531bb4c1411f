/** What the bench asks of a bare cloud, and what it answers. */
export type BareAsk =
  | { readonly kind: 'start'; readonly names: readonly string[] }
  /** one retained message of so many bytes to each; answers when the broker has all */
  | { readonly kind: 'fan-out'; readonly names: readonly string[]; readonly bytes: number }
  /** answers when so many messages of devices have arrived since the last time */
  | { readonly kind: 'fan-in'; readonly count: number }

export type BareAnswer =
  | { readonly kind: 'started'; readonly port: number; readonly accounts: readonly { readonly name: string; readonly password: string }[] }
  | { readonly kind: 'done' }
