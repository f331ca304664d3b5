import './styles/base.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { applyDistance, applyLanguage, applyTheme } from './state/settings.svelte'

// The device was updated while this page was open, so that a part of it is not there under its old name any more.
addEventListener('vite:preloadError', (event) => {
  const before = Number(sessionStorage.getItem('manofwar.reloaded') ?? 0)
  if (Date.now() - before < 60_000) return
  sessionStorage.setItem('manofwar.reloaded', String(Date.now()))
  event.preventDefault()
  location.reload()
})

applyTheme()
applyDistance()
await applyLanguage()
mount(App, { target: document.getElementById('app')! })
