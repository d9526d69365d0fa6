// Where does the program begin? With the texts of the chosen language, the chosen theme and the question who is signed in.
import './app.css';

import { mount } from 'svelte';

import App from './App.svelte';
import { router } from './router.svelte';
import { session } from './session.svelte';
import { texts } from './texts/texts.svelte';
import { theme } from './theme.svelte';

theme.begin();
await Promise.all([texts.begin(), session.begin()]);
router.begin();

const target = document.getElementById('app');
if (target) mount(App, { target });
