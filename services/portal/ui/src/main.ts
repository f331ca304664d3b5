import './styles/base.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { applyDistance, applyLanguage, applyTheme } from './state/settings.svelte'

applyTheme()
applyDistance()
await applyLanguage()
mount(App, { target: document.getElementById('app')! })
