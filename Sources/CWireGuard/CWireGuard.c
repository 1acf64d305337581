#include "fullbore_wireguard.h"
