import { Route, Switch } from 'wouter';
import { NotFound } from '../ui/NotFound.tsx';
import { PurchasePage } from './PurchasePage.tsx';
import { ShopPage } from './ShopPage.tsx';

export function PurchasePages() {
  return (
    <Switch>
      <Route path="/purchase">
        <ShopPage />
      </Route>
      <Route path="/purchase/:purchaseId">
        {({ purchaseId }) => <PurchasePage key={purchaseId} purchaseId={purchaseId} />}
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}
