#include "base/test.h"
#include "store/store.h"
TEST(store, x) { }
