/** gRPC health probe: one `grpc.health.v1.Health/Check` over plaintext HTTP/2, framed by hand; 1 (SERVING) is success. */
import { LIMITS } from '../../protocol/limits.ts'
import type { ProbeAction, ProbeAnswer } from '../core/probe-model.ts'
import { failure, noAnswer } from './probe-answer.ts'

type GrpcAction = Extract<ProbeAction, { readonly kind: 'grpc' }>

const STATUS: Readonly<Record<number, string>> = { 0: 'UNKNOWN', 2: 'NOT_SERVING', 3: 'SERVICE_UNKNOWN' }

export async function grpcProbe({ host, port, service }: GrpcAction, timeoutMs: number): Promise<ProbeAnswer> {
  // loaded when the first such probe runs: most devices never need HTTP/2
  const { connect } = await import('node:http2')
  return new Promise((resolve) => {
    const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    const end = (answer: ProbeAnswer): void => {
      clearTimeout(timer)
      session.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => end(noAnswer(timeoutMs)), timeoutMs)
    session.on('error', (error) => end(failure(error.message)))
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kube-probe/skerry',
    })
    let body = Buffer.alloc(0)
    let code: string | undefined
    const noteCode = (headers: Readonly<Record<string, unknown>>): void => {
      if (typeof headers['grpc-status'] === 'string') code = headers['grpc-status']
    }
    stream.on('response', noteCode)
    stream.on('trailers', noteCode)
    stream.on('data', (chunk: Buffer) => {
      if (body.byteLength <= LIMITS.probeBodyBytes.value) body = Buffer.concat([body, chunk])
    })
    stream.on('error', (error) => end(failure(error.message)))
    stream.on('end', () => end(code === undefined || code === '0' ? answerOf(body) : failure(`the health check ended with gRPC status ${code}`)))
    stream.end(checkRequest(service))
  })
}

/** Length-prefixed message with field 1, `service`. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.byteLength === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.byteLength), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.byteLength, 1)
  return Buffer.concat([head, message])
}

/** Field 1, `status`, is a varint below 4; an empty message says 0. */
function answerOf(body: Buffer): ProbeAnswer {
  const status = body.byteLength >= 7 && body[5] === 0x08 ? (body[6] ?? 0) : 0
  return status === 1 ? { verdict: 'success', message: '' } : failure(`service unhealthy (responded with ${STATUS[status] ?? status})`)
}

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7])
}
