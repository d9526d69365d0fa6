// Is a supervisor asked whether everybody leaves? By the key, or by the button of the wallboard.
class Evacuation {
  asked = $state(false);
}

export const evacuation = new Evacuation();
