import { systemClock } from '../edge-agent/runtime/system-clock.ts'
import { createBalancer } from '../edge-agent/services/balancer.ts'
import { balancerContract } from './contract/balancer.contract.ts'

balancerContract('the one of the agent', (bounds) => createBalancer(systemClock, bounds))
