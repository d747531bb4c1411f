/** Environment of a container: values, and values taken from other objects, the pod or the container's resources. */
import { FIELD_REF, RESOURCE_FIELD_REF } from './pod-volumes.ts'
import { bool, obj, refused, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const NAME = str({ min: 1, max: 253 })
const KEY_REF = obj({ name: required(NAME), key: required(str({ min: 1, max: 253 })), optional: bool() })
const OBJECT_REF = obj({ name: required(NAME), optional: bool() })

export const ENV_VAR = obj(
  {
    name: required(str({ pattern: /^[-._a-zA-Z][-._a-zA-Z0-9]*$/, says: 'letters, digits, "_", "-", "."; not starting with a digit', max: 256 })),
    value: str({ max: 32_768 }),
    /** one of them */
    valueFrom: obj({
      configMapKeyRef: KEY_REF,
      secretKeyRef: KEY_REF,
      fieldRef: FIELD_REF,
      resourceFieldRef: RESOURCE_FIELD_REF,
      fileKeyRef: refused('a value taken from a file is not supported by this version of Skerry; remove the field'),
    }),
  },
  { retainKeys: true },
)

export const ENV_FROM = obj({
  prefix: str({ pattern: /^[-._a-zA-Z]?[-._a-zA-Z0-9]*$/, says: 'the beginning of a variable name', max: 64 }),
  configMapRef: OBJECT_REF,
  secretRef: OBJECT_REF,
})

export type EnvVar = Infer<typeof ENV_VAR>
export type EnvFrom = Infer<typeof ENV_FROM>
