/**
 * The three functions of the `reflect-metadata` proposal that the dependency injector inside @peculiar/x509 calls; it refuses to
 * load without them. Imported for its effect, before that library.
 */
type Key = string | symbol

const stores = new WeakMap<object, Map<Key, unknown>>()

function own(key: Key, target: object): unknown {
  return stores.get(target)?.get(key)
}

function inherited(key: Key, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    if (stores.get(at)?.has(key) === true) return own(key, at)
  }
  return undefined
}

function define(key: Key, value: unknown, target: object): void {
  const store = stores.get(target) ?? new Map<Key, unknown>()
  store.set(key, value)
  stores.set(target, store)
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { defineMetadata: define, getMetadata: inherited, getOwnMetadata: own })
}
