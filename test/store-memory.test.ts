import { openMemoryStore } from '../cloud/store/memory-store.ts'
import { storeContract } from './contract/store.contract.ts'

storeContract('memory store', (options = {}) => Promise.resolve(openMemoryStore(options)))
