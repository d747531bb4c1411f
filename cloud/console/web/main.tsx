import { render } from 'preact'
import { App } from './app.tsx'
import { takeTokenFromAddress } from './session.ts'

takeTokenFromAddress()
addEventListener('hashchange', takeTokenFromAddress)
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
