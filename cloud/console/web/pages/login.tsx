import { useState } from 'preact/hooks'
import { refused, setToken } from '../session.ts'

/** Asks for a token. It stays in this tab. */
export function Login() {
  const [value, setValue] = useState('')
  return (
    <main class="login">
      <h1>Skerry</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (value.trim() !== '') setToken(value.trim())
        }}
      >
        <label for="token">Token</label>
        <input id="token" type="password" autoComplete="current-password" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
        <button type="submit" class="main">
          Open the console
        </button>
        {refused.value === '' ? null : (
          <p role="alert" class="bad">
            {refused.value}
          </p>
        )}
      </form>
      <p class="muted">
        The token is the one in your kubeconfig, and in the file <code>admin-token</code> where the cloud keeps its data. It is kept in this tab only
        and is gone when you close it.
      </p>
    </main>
  )
}
