import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useLayoutEffect } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { ChatPage } from './chat/ChatPage.tsx';
import { loadWords, type Namespace } from './i18n/language.ts';
import { MeContext, meQuery } from './session/me.ts';
import { queries } from './session/keep.ts';
import { useSession } from './session/session.ts';
import { Boundary } from './ui/Boundary.tsx';
import { arrive } from './ui/focus/arrival.ts';
import { FailedApp, FailedPage } from './shell/Failed.tsx';
import { Shell } from './shell/Shell.tsx';
import { NotFound } from './ui/NotFound.tsx';
import { Loading } from './ui/Loading.tsx';

const wordsOf = async (...parts: readonly Namespace[]) => (await import('./i18n/pages.ts')).loadPageWords(...parts);

const SignIn = lazy(async () => {
  const [{ SignIn }] = await Promise.all([import('./session/SignIn.tsx'), loadWords('sign-in')]);
  return { default: SignIn };
});

const UsagePage = lazy(async () => {
  const [{ UsagePage }] = await Promise.all([import('./usage/UsagePage.tsx'), wordsOf('usage-page')]);
  return { default: UsagePage };
});

const ReportPages = lazy(async () => {
  const [{ ReportPages }] = await Promise.all([import('./reports/ReportPages.tsx'), wordsOf('reports')]);
  return { default: ReportPages };
});

const PreferencesPage = lazy(async () => {
  const [{ PreferencesPage }] = await Promise.all([
    import('./preferences/PreferencesPage.tsx'),
    wordsOf('preferences', 'instructions'),
  ]);
  return { default: PreferencesPage };
});

const KeysPage = lazy(async () => {
  const [{ KeysPage }] = await Promise.all([import('./keys/KeysPage.tsx'), wordsOf('keys')]);
  return { default: KeysPage };
});

const PurchasePages = lazy(async () => {
  const [{ PurchasePages }] = await Promise.all([import('./purchase/PurchasePages.tsx'), wordsOf('purchase')]);
  return { default: PurchasePages };
});

const AdminPages = lazy(async () => {
  const [{ AdminPages }] = await Promise.all([
    import('./admin/AdminPages.tsx'),
    wordsOf('admin', 'admin-home', 'deliveries', 'models', 'people', 'purchase', 'reports', 'words'),
  ]);
  return { default: AdminPages };
});

/** `/` and `/c/:id` are one page, so that a new chat becomes a conversation without being drawn again. */
const CHAT = /^\/(?:c\/(?<conversationId>[0-9a-f-]{36})\/?)?$/i;

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Boundary fallback={(error, again) => <FailedApp error={error} onRetry={again} />}>
        <Page />
      </Boundary>
    </QueryClientProvider>
  );
}

function Page() {
  const session = useSession();
  // Signing in keeps the address, so the page that was asked for, or on which the session ended, shows afterwards.
  if (session.state === 'opening') return <Opening />;
  return session.state === 'out' ? (
    <Suspense fallback={<Opening />}>
      <SignIn reason={session.reason} />
    </Suspense>
  ) : (
    <SignedIn key={session.id} />
  );
}

function SignedIn() {
  const me = useQuery(meQuery);
  const [location] = useLocation();
  useLayoutEffect(arrive, [location]);
  if (me.isPending) return <Opening />;
  if (me.isError) return <FailedApp error={me.error} onRetry={() => void me.refetch()} />;
  return (
    <MeContext value={me.data}>
      <Shell>
        <Boundary of={location} fallback={(error, again) => <FailedPage error={error} onRetry={again} />}>
          <Suspense fallback={<Opening />}>
            <Switch>
              <Route path={CHAT}>
                {({ conversationId }) => <ChatPage conversationId={conversationId?.toLowerCase() ?? null} />}
              </Route>
              <Route path="/usage">
                <UsagePage />
              </Route>
              <Route path="/usage/reports/*?">
                <ReportPages />
              </Route>
              <Route path="/purchase/*?">
                <PurchasePages />
              </Route>
              <Route path="/preferences">
                <PreferencesPage />
              </Route>
              <Route path="/keys">
                <KeysPage />
              </Route>
              <Route path="/admin/*?">
                <AdminPages />
              </Route>
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </Boundary>
      </Shell>
    </MeContext>
  );
}

/** Stands for a page that is loading. It is a page itself, so that a screen reader finds its heading. */
function Opening() {
  return (
    <main className="flex h-full flex-1 items-center justify-center">
      <h1 className="sr-only">Turnkeeper</h1>
      <Loading />
    </main>
  );
}
