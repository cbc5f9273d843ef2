import { expect, it } from 'vitest';
import { WorkBudget } from './work-budget.js';

it('rounds that are bearable once are refused when a file asks for them in many parts', () => {
  const budget = new WorkBudget('off-thread');
  budget.spend(5_000_000);
  budget.spend(3_000_000);
  expect(() => {
    budget.spend(1);
  }).toThrow('over the limit of 8,000,000');
});

it('work that keeps the calling thread busy may be half as much', () => {
  expect(() => {
    new WorkBudget('at-once').spend(4_000_001);
  }).toThrow('over the limit of 4,000,000');
});
