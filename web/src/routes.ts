// Which pages are there, for whom? One line a page; a page's program is loaded when it is opened.
import type { LucideIcon } from '@lucide/svelte';
import CalendarDays from '@lucide/svelte/icons/calendar-days';
import Gauge from '@lucide/svelte/icons/gauge';
import Headset from '@lucide/svelte/icons/headset';
import Inbox from '@lucide/svelte/icons/inbox';
import LayoutDashboard from '@lucide/svelte/icons/layout-dashboard';
import ListChecks from '@lucide/svelte/icons/list-checks';
import MapIcon from '@lucide/svelte/icons/map';
import PhoneOutgoing from '@lucide/svelte/icons/phone-outgoing';
import Settings from '@lucide/svelte/icons/settings';
import Siren from '@lucide/svelte/icons/siren';

import type { Role } from './api/client';
import type { PageComponent } from './router.svelte';

export interface Route {
  /** `/case/:number`: what begins with a colon is given to the page as a parameter. */
  path: string;
  /** Id of the title's text. */
  title: string;
  /** Who may open it; without it, anybody, signed in or not. The server decides again about every request. */
  roles?: readonly Role[];
  /** Stands in the top bar with this icon. */
  nav?: LucideIcon;
  /** Without the top bar: a kiosk, a resident's page. */
  bare?: true;
  /** Stands in the bar of those alone who have a desk. */
  atDesk?: true;
  page: () => Promise<{ default: PageComponent }>;
}

const ANYBODY: readonly Role[] = ['operator', 'quality', 'supervisor', 'administrator', 'organisation', 'city'];
/** As the server lets calls be read. */
const JUDGES: readonly Role[] = ['quality', 'supervisor', 'administrator'];
const READS_CASES: readonly Role[] = ['operator', 'quality', 'supervisor', 'organisation', 'city'];

export const routes: readonly Route[] = [
  { path: '/', title: 'page-desk', roles: ['operator'], nav: Headset, page: () => import('./pages/Desk.svelte') },
  { path: '/board', title: 'page-board', roles: ['operator'], nav: Gauge, page: () => import('./pages/Board.svelte') },
  { path: '/wallboard', title: 'page-wallboard', roles: JUDGES, nav: LayoutDashboard, page: () => import('./pages/wall/Wallboard.svelte') },
  { path: '/talk', title: 'page-desk', roles: ['supervisor'], nav: Headset, atDesk: true, page: () => import('./pages/Desk.svelte') },
  { path: '/wall/kiosk', title: 'kiosk-title', bare: true, page: () => import('./pages/wall/Kiosk.svelte') },
  { path: '/shifts', title: 'page-shifts', roles: ['operator', 'quality', 'supervisor', 'administrator'], nav: CalendarDays, page: () => import('./pages/shifts/Shifts.svelte') },
  { path: '/calls/:call', title: 'page-call', roles: JUDGES, page: () => import('./pages/call/Call.svelte') },
  { path: '/calls/:call/why', title: 'page-why', roles: JUDGES, page: () => import('./pages/call/Why.svelte') },
  { path: '/inbox', title: 'page-inbox', roles: ['organisation'], nav: Inbox, page: () => import('./pages/inbox/Inbox.svelte') },
  { path: '/register', title: 'page-register', roles: READS_CASES, nav: ListChecks, page: () => import('./pages/register/Register.svelte') },
  { path: '/case/:number', title: 'page-case', roles: READS_CASES, page: () => import('./pages/case/Case.svelte') },
  { path: '/tasks', title: 'page-tasks', roles: ['operator', 'quality', 'supervisor'], nav: PhoneOutgoing, page: () => import('./pages/tasks/Tasks.svelte') },
  { path: '/incidents', title: 'page-incidents', roles: READS_CASES, nav: Siren, page: () => import('./pages/incidents/Incidents.svelte') },
  { path: '/incidents/:n', title: 'page-incident', roles: READS_CASES, page: () => import('./pages/incidents/Incident.svelte') },
  { path: '/admin', title: 'page-admin', roles: ['administrator'], nav: Settings, page: () => import('./pages/admin/Admin.svelte') },
  { path: '/admin/:section', title: 'page-admin', roles: ['administrator'], page: () => import('./pages/admin/Admin.svelte') },
  { path: '/account', title: 'page-account', roles: ANYBODY, page: () => import('./pages/account/Account.svelte') },
  { path: '/status', title: 'page-status', bare: true, page: () => import('./pages/status/PublicStatus.svelte') },
  { path: '/status/:number', title: 'page-status', bare: true, page: () => import('./pages/status/PublicStatus.svelte') },
  { path: '/cabinet', title: 'page-cabinet', bare: true, page: () => import('./pages/cabinet/Cabinet.svelte') },
  { path: '/cabinet/:number', title: 'page-cabinet', bare: true, page: () => import('./pages/cabinet/Cabinet.svelte') },
  { path: '/districts', title: 'page-districts', roles: READS_CASES, nav: MapIcon, page: () => import('./pages/districts/Districts.svelte') },
];

/** Where each role begins its day. */
export const HOME: Record<Role, string> = {
  operator: '/',
  quality: '/register',
  supervisor: '/wallboard',
  administrator: '/admin',
  organisation: '/inbox',
  city: '/register',
  resident: '/cabinet',
};
