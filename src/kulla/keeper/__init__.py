"""Who people are: the only program that knows. See docs/keeper.md; the portal's side is kulla.keeper_client."""
