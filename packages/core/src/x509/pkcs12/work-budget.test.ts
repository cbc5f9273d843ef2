import { expect, it } from 'vitest';
import { CredentialsError } from '../../errors/security.js';
import { WorkBudget } from './work-budget.js';

it('rounds that are bearable once are refused when a file asks for them in many parts', () => {
  const budget = new WorkBudget();
  budget.spend(6_000_000);
  budget.spend(4_000_000);
  expect(() => budget.spend(1)).toThrow(CredentialsError);
  expect(() => budget.spend(1)).toThrow('over the limit of 10,000,000');
});
