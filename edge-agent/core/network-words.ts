/** What the network's short words mean, for people who do not know them. The word itself stays, for those who search for it. */

/** @param text as Node says it: `getaddrinfo ENOTFOUND host`, `connect ECONNREFUSED 10.0.0.1:443` @param code errno or TLS name */
export function networkWords(text: string, code: string): string {
  const said = sentence(code, /\S+$/.exec(text)?.[0] ?? 'it')
  return said === null ? `${text} (${code})` : `${said} (${code})`
}

function sentence(code: string, whom: string): string | null {
  switch (code) {
    case 'EAI_AGAIN':
      return `the name ${whom} cannot be looked up, no name server answers`
    case 'ENOTFOUND':
      return `there is no host with the name ${whom}`
    case 'ECONNREFUSED':
      return `${whom} is there and refuses the connection`
    case 'ETIMEDOUT':
      return `${whom} does not answer`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${whom}`
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was broken off'
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired, or the clock of this device is wrong'
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet, or the clock of this device is wrong'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'its certificate is of an authority that this device does not know'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name'
    default:
      return null
  }
}
