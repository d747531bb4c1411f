/** The store, with its writes counted. Reads are not: they cost next to nothing and are many. */
import type { Clock, Meter, Store, Written } from '../ports.ts'

type Verb = 'create' | 'update' | 'delete'

export function meteredStore(store: Store, { clock, meter }: { readonly clock: Clock; readonly meter: Meter }): Store {
  const measured = async (verb: Verb, resource: string, write: () => Promise<Written>): Promise<Written> => {
    const began = clock.monoMs()
    try {
      const written = await write()
      meter.count('skerry_store_writes_total', { verb, result: written.ok ? 'done' : 'conflict', resource })
      return written
    } catch (error) {
      meter.count('skerry_store_writes_total', { verb, result: 'failed', resource })
      throw error
    } finally {
      meter.observe('skerry_store_write_duration_seconds', (clock.monoMs() - began) / 1000)
    }
  }
  return {
    get: (resource, namespace, name) => store.get(resource, namespace, name),
    list: (resource, options) => store.list(resource, options),
    create: (resource, object) => measured('create', resource, () => store.create(resource, object)),
    update: (resource, object, expected) => measured('update', resource, () => store.update(resource, object, expected)),
    delete: (resource, namespace, name, expected) => measured('delete', resource, () => store.delete(resource, namespace, name, expected)),
    watch: (resource, from, handlers) => store.watch(resource, from, handlers),
    revision: () => store.revision(),
    getFact: (name) => store.getFact(name),
    setFact: (name, value, expected) => store.setFact(name, value, expected),
    close: () => store.close(),
  }
}
