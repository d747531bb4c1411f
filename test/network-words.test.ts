/** Words of the network, as an engineer in front of a device reads them. */
import { expect, it } from 'vitest'
import { networkWords } from '../edge-agent/core/network-words.ts'

it.each([
  ['getaddrinfo EAI_AGAIN registry.local', 'EAI_AGAIN', 'the name registry.local cannot be looked up, no name server answers (EAI_AGAIN)'],
  ['getaddrinfo ENOTFOUND registry.local', 'ENOTFOUND', 'there is no host with the name registry.local (ENOTFOUND)'],
  ['connect ECONNREFUSED 10.0.0.1:5000', 'ECONNREFUSED', '10.0.0.1:5000 is there and refuses the connection (ECONNREFUSED)'],
  ['read ECONNRESET', 'ECONNRESET', 'the connection was broken off (ECONNRESET)'],
  [
    'self-signed certificate',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'its certificate is of an authority that this device does not know (DEPTH_ZERO_SELF_SIGNED_CERT)',
  ],
  ['disk went away', 'EIO', 'disk went away (EIO)'],
])('%s', (text, code, says) => {
  expect(networkWords(text, code)).toBe(says)
})
