import { render } from 'preact'
import { App } from './app.tsx'
import { takeTokenFromAddress, token } from './session.ts'
import { startLive } from './live-store.ts'

takeTokenFromAddress()
addEventListener('hashchange', takeTokenFromAddress)
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
if (token.value !== null) startLive()
